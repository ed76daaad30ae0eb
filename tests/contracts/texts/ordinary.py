"""Texts that ordinary shops write: to be taken for a library's error is a false accusation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

TIMES = ("10:30", "8:05", "at 23:59", "10:30:15", "9.15", "12 h 45")
ORDERS = ("1001", "A-17", "2026-000123", "7F3A-12", "#48811", "ORD_99:12")
FILES = ("invoice.pdf", "size-chart.js", "catalogue.php", "index.html", "prices:12.csv", "terms-v2.1.3.txt")
PEOPLE = ("info@shop.example", "Mme Dupont", "Herr Müller (Lager)", "support:24/7", "the courier")

TEMPLATES = (
    # English
    "Your order {order} arrives at Main Street {time}",
    "at the shop in Main Street {time}",
    "at counter 4:12, floor 2 ({time})",
    "Meet us at gate B:{time}",
    "The pick-up point opens at {time}; ask for {person}.",
    "The score was 3:2 at {time}, and order {order} was packed.",
    "We sent the file {file} to {person} at {time}.",
    'File "{file}", line 3 of your list, was read. Order {order} has been updated.',
    "The delivery date of order {order} is not defined yet.",
    "A voucher is not a function of the price, says {person}.",
    "Your contract {order} was terminated at {time}.",
    "Contract status: terminated. Reference {order}.",
    "Your bank's connection refused the payment of order {order}. Please ask {person}.",
    "Connection refused by your bank. Order {order} was not charged.",
    "The bank closed the connection. Order {order} is kept until {time}.",
    "The request for order {order} timed out. Please try again after {time}.",
    "The operation was aborted by you at {time}. Nothing was charged for {order}.",
    "The request body is not valid JSON. Reference {order}.",
    "Order {order}: the network is down. Call {person} before {time}.",
    "Unexpected token of thanks: 10 % off order {order}.",
    "Warning: glass in parcel {order}. Notice: sign in {file} before {time}.",
    "Notice: our hours in December change ({time}).",
    "Status 500 of 500 parcels: order {order} left at {time}.",
    "Payment error for order {order}. Please write to {person}.",
    "Error 12: the card was declined at {time}. Your reference is {order}.",
    "We could not read the answer of the payment service. Order {order} is waiting.",
    "The dial is water-proof; the tcp-style strap is on sale until {time}.",
    'Refund {order}: Get "https://shop.example/app" for news, says {person}.',
    "Step #1 open {file} #2 sign it #3 send it to {person}.",
    "Set on null: the scale shows 0 at {time}. Order {order}.",
    "There is nothing for nil here, {person}; nil is the score at {time}.",
    "Order execution expired at {time}: order {order} went back to the book.",
    "Version 2.14.0:3 of our terms ({file}) holds from {time}.",
    'Our course "From KeyError to ValueError handling" starts at {time} ({order}).',
    "We are at your service, {person}: (see {file}:12)",
    "Your session has ended at {time}. Sign in again to see order {order}.",
    "Connection lost? Reload the page; order {order} is safe.",
    "Connection timed out. Please reload after {time}.",
    "The request failed. Please try again, order {order} is still open.",
    "Payment failed: the gateway did not answer. Reference: {order}.",
    "Payment failed: cancelled at {time}. Reference: {order}.",
    "Payment failed: declined by {person}",
    "Product photos: fetch failed for {file}, we show a drawing.",
    "The store at shop.go sells order {order} until {time}.",
    'Cash on delivery? Post "{order}" on the parcel.',
    "Our partner's server disconnected at {time}; we will ask again about {order}.",
    "No value is present on gift card {order}.",
    "Invalid character in your name. Please write it as on {file}.",
    "Your reset code for {order} was sent to {person}. The connection reset takes a minute.",
    # German
    "Ihre Bestellung {order} wird um {time} geliefert (Ansprechpartner: {person}).",
    "Etwas ist schiefgelaufen. Bitte versuchen Sie es nach {time} noch einmal. Ref {order}",
    "Der Vertrag {order} ist terminiert auf {time}.",
    "Fehler bei der Zahlung: Die Bank hat die Verbindung abgelehnt ({order}).",
    "Die Datei {file} fehlt in Bestellung {order}. Hinweis: {person} hilft bis {time}.",
    "Lieferung in Zeile 4 von {file}, Status: error, Bearbeiter {person}",
    "Zeitüberschreitung um {time}: Bestellung {order} bleibt offen.",
    # French
    "Votre commande {order} arrive à {time}. Questions : {person}.",
    "Désolé, le paiement de {order} a échoué. Réessayez après {time}.",
    "La connexion a été refusée par votre banque (réf. {order}).",
    "Le fichier {file} est illisible. Écrivez à {person} avant {time}.",
    "Erreur : délai dépassé à {time}. La commande {order} reste en attente.",
    # Spanish
    "Su pedido {order} llega a las {time}. Preguntas: {person}.",
    "Lo sentimos, no pudimos cobrar el pedido {order}. Inténtelo de nuevo a las {time}.",
    "Error de conexión con el banco: pedido {order} pendiente.",
    "El archivo {file} no está definido. Llame a {person} antes de las {time}.",
    # Portuguese
    "O seu pedido {order} chega às {time}. Dúvidas: {person}.",
    "Algo deu errado com o pedido {order}. Tente de novo às {time}.",
    "A conexão foi recusada pelo banco ({order}); ligue para {person}.",
    # Italian
    "Il suo ordine {order} arriva alle {time}. Domande: {person}.",
    "Qualcosa è andato storto con l'ordine {order}. Riprovi alle {time}.",
    "Connessione rifiutata dalla banca ({order}).",
)
HAND_WRITTEN = (
    "Meeting at the warehouse 10:30",
    "at 10:30",
    "   at Douala harbour:10:30",
    "at platform (4:2)",
    "terminated",
    "Status: terminated",
    "error: none",
    "The price is not defined",
    "price is not a function",
    "This page is not a function of the old shop.",
    "Our terms: 1. Orders are on null and void terms after 14 days.",
    "KeyError, a T-shirt for programmers, is sold out.",
    "A T-shirt with TypeError in red letters",
    "Connection refused? Ask your bank.",
    "Your connection was reset. Please sign in again.",
    "Read the FAQ: time-outs, refunds, time zones (UTC+1).",
    "Tracking: 12:30 in Lagos, 13:30 in Douala on line 4",
    "Open in app.php-shop on line, 24/7",
    "Ask in our shop in rue des index.php line 3",
    "Goods travel on line 4: Yaoundé, Douala, Kribi",
    "Dear customer,\nat our shop (ground floor, counter 3:1)\nat home: 10:30\nat work: 12:45",
    "Opening hours\nMon 9:00-18:00\nSat at 10:00:00",
    "node 12:4, aisle 3:1",
    "runtime error: the washing machine's timer shows E20 (see manual)",
    "Don't panic: your money is safe.",
    "Self-signed certificates of authenticity come with each print.",
    "The request was terminated because you closed the window.",
    "The handshake between our courier and you is the proof of delivery.",
    "Out of range: we do not deliver beyond 100 km.",
    "Net::weight 2 kg",
    "Material: cotton 80 %, polyester 20 %. Size index: 42",
    "Undefined sizes are one-size-fits-all.",
    "Index: 12. Offset: 3. Property: mine.",
    "Sorry for the inconvenience. Error reference: E-CONN-17.",
    "System.Out is a club in Berlin. Doors at 22:00.",
    "Malformed parcels are refunded.",
    "Unable to verify the first name on your card.",
    "[Order 17] confirmed",
    "HTTP Error? Here is what to do when a page does not load.",
    "Error from your bank: 51 (insufficient funds)",
    "java coffee beans, 1 kg: EUR 12.30",
    "Go, Rust and Ruby: three colours of our new shirt at 10:30:15.",
    "Symfony No. 5 and Spring collection: new arrivals",
    "Tickets: #1 stalls #2 balcony (12) #3 {main} hall",
    "支付失败。请在 10:30 后重试。",
    "お支払いはまだ完了していません。注文番号 1001",
    "Оплата не прошла. Попробуйте ещё раз в 10:30.",
)
LOGS = (
    "2026-11-20 10:30:15 INFO order {order} paid at {time}",
    "10:30:15.123 [http-1] INFO  shop.Orders - order {order} waits for {person}",
    '127.0.0.1 - - [20/Nov/2026:10:30:15 +0000] "GET /static/errors.css HTTP/1.1" 200 12 {order}',
    "level=info msg=\"order {order} saved\" took=10.3ms at={time}",
    '{{"level":"info","errors_in_a_row":0,"order":"{order}","file":"{file}"}}',
    "mail to {person} sent for {order}, attachment {file}",
    "worker 3:1 at {time}: queue empty",
)  # fmt: skip
WORDS = (
    "RequestError",
    "ValidationError",
    "PaymentDeclinedException",
    "error",
    "failed",
    "terminated",
    "refused",
    "declined",
    "timeout",
    "not_paid",
    "expired",
    "invalid_request",
)


def sentences() -> Iterator[str]:
    """Some thousand texts."""
    yield from HAND_WRITTEN
    for template in (*TEMPLATES, *LOGS):
        fields = [
            values if f"{{{name}}}" in template else ("",)
            for name, values in (("time", TIMES), ("order", ORDERS), ("file", FILES), ("person", PEOPLE))
        ]
        for time, order, file, person in product(*fields):
            yield template.format(time=time, order=order, file=file, person=person)


def answers() -> Iterator[str]:
    """JSON answers of shops, with fields that speak of errors."""
    for word, order, time in product(WORDS, ORDERS, TIMES):
        yield json.dumps({"status": word, "order": order, "error": word, "at": f"2026-11-20T{time}"})
        yield json.dumps(
            {"error": {"code": word, "message": f"Order {order}: {word}"}, "status": "error", "ref": order}
        )
        yield json.dumps({"errors": [{"field": "amount", "reason": word}], "ok": False, "steps": [f"at {time}", order]})
