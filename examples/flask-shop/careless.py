"""The shop as it is often written: it works in the demo. It believes the redirect, asks for a token at every call,
comes back over http, logs the bearer, opens a payment at each click, shows raw errors and waits for ever."""

import app
from defects import (
    HttpReturnUrl,
    LogsBearer,
    NoDoubleSubmitGuard,
    NoTimeout,
    RawErrorPage,
    TokenPerCall,
    TrustsRedirect,
)


class CarelessShop(TrustsRedirect, HttpReturnUrl, NoDoubleSubmitGuard, RawErrorPage):
    pass


class CarelessGateway(TokenPerCall, LogsBearer, NoTimeout):
    pass


if __name__ == "__main__":
    app.main(shop_class=CarelessShop, gateway_class=CarelessGateway)
