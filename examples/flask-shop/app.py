"""A small web shop that takes payments through QuataPay: its addresses, and how it starts (`python app.py`)."""

import logging
import sys
from collections.abc import Callable, Mapping

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from alerts import Alerts
from gateway import Gateway
from orders import Order, Orders
from settings import Settings
from shop import Shop

log = logging.getLogger("shop")


def make_app(shop: Shop) -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024

    def with_order(order_id: str, answer: Callable[[Order], Response]) -> Response:
        order = shop.orders.find(order_id)
        return answer(order) if order else shop.page(404, "Unknown order", "We have no order with this number.")

    @app.get("/health")
    def health() -> str:
        return "ok\n"

    @app.get("/")
    def front_page() -> Response:
        return shop.front_page()

    @app.post("/checkout")
    def checkout() -> Response:
        form = request.get_json(silent=True) if request.is_json else request.form
        return shop.checkout(form if isinstance(form, Mapping) else {})

    @app.get("/return/<order_id>")
    def returned(order_id: str) -> Response:
        return with_order(order_id, lambda order: shop.returned(order, request.args))

    @app.get("/cancel/<order_id>")
    def cancelled(order_id: str) -> Response:
        return with_order(order_id, shop.cancelled)

    @app.get("/orders/<order_id>")
    def order_state(order_id: str) -> tuple[dict[str, object], int]:
        order = shop.orders.find(order_id)
        if order is None:
            return {"error": "unknown order"}, 404
        names = ("id", "status", "amount", "currency", "shipments", "note")
        return {name: getattr(order, name) for name in names}, 200

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        if isinstance(error, HTTPException):
            if error.code is None or error.code < 400:
                return error.get_response()
            return shop.page(error.code, "That did not work", "This page does not exist, or not like this.")
        log.error("unexpected error", exc_info=error)
        return shop.page(500, "Something went wrong", "It is our fault. Please try again in a moment.")

    @app.after_request
    def never_from_a_cache(response: Response) -> Response:
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"  # a reload of the return page must reach us
        return response

    return app


def main(
    shop_class: type[Shop] = Shop,
    gateway_class: type[Gateway] = Gateway,
    read_settings: Callable[[], Settings] = Settings.from_environment,
) -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = read_settings()
    gateway = gateway_class(
        settings.base_url, settings.client_id, settings.secret_key, token_per_payment=settings.token_per_payment
    )
    shop = shop_class(settings, gateway, Orders(settings.data_dir), Alerts(settings.alert_url))
    make_app(shop).run(host="127.0.0.1", port=settings.port, threaded=True)


if __name__ == "__main__":
    main()
