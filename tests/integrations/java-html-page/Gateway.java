import java.net.URI;
import java.net.http.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.logging.Logger;

final class Gateway {
    static final class Trouble extends Exception { Trouble(String m) { super(m); } }
    record Opened(String token, String url) {}
    private static final Logger LOG = Logger.getLogger("gateway");
    private final String base = System.getenv("PAY_BASE_URL").replaceAll("/+$", "");
    private final String id = System.getenv("PAY_CLIENT_ID"), secret = System.getenv("PAY_SECRET_KEY");
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private String token; private Instant renewAt = Instant.MIN; private volatile Instant quietUntil = Instant.MIN;

    private synchronized String bearer(String rejected) throws Trouble {
        if (token != null && !token.equals(rejected) && Instant.now().isBefore(renewAt)) return token;
        token = null;
        Map<String, Object> d = data(send("POST", "/authentication/token", null, Json.object("client_id", id, "secret_id", secret)));
        if (!(d.get("access_token") instanceof String t) || t.isEmpty()) throw new Trouble("no token in the answer");
        long life = d.get("expire_time") instanceof Number n ? n.longValue() : 600;
        renewAt = Instant.now().plusSeconds(Math.max(30, life - 60));
        LOG.info("new access token, good for " + life + " s");
        return token = t;
    }
    private HttpResponse<String> send(String verb, String path, String bearer, String body) throws Trouble {
        if (Instant.now().isBefore(quietUntil)) throw new Trouble("the gateway asked for a pause");
        HttpRequest.Builder b = HttpRequest.newBuilder(URI.create(base + path)).timeout(Duration.ofSeconds(28)).header("Accept", "application/json");
        if (bearer != null) b.header("Authorization", "Bearer " + bearer);
        if (body == null) b.method(verb, HttpRequest.BodyPublishers.noBody());
        else b.header("Content-Type", "application/json").method(verb, HttpRequest.BodyPublishers.ofString(body));
        CompletableFuture<HttpResponse<String>> f = http.sendAsync(b.build(), HttpResponse.BodyHandlers.ofString());
        try {
            HttpResponse<String> r = f.get(29, TimeUnit.SECONDS);
            if (r.statusCode() == 429) {
                long s = 5; try { s = Long.parseLong(r.headers().firstValue("Retry-After").orElse("5")); } catch (NumberFormatException e) { /* a date: keep 5 */ }
                quietUntil = Instant.now().plusSeconds(Math.min(s, 120)).plusMillis(100);
                throw new Trouble("rate limited");
            }
            return r;
        } catch (TimeoutException e) { f.cancel(true); throw new Trouble("timeout"); }
        catch (ExecutionException e) { throw new Trouble(String.valueOf(e.getCause())); }
        catch (InterruptedException e) { Thread.currentThread().interrupt(); throw new Trouble("stopped"); }
    }
    @SuppressWarnings("unchecked")
    private static Map<String, Object> data(HttpResponse<String> r) throws Trouble {
        try {
            if (r.statusCode() == 200 && Json.parse(r.body()) instanceof Map<?, ?> m && "success".equals(m.get("type")) && m.get("data") instanceof Map<?, ?> d) return (Map<String, Object>) d;
        } catch (RuntimeException e) { throw new Trouble("HTTP " + r.statusCode() + ", not JSON"); }
        throw new Trouble("HTTP " + r.statusCode());
    }
    private Map<String, Object> call(String verb, String path, String body) throws Trouble {
        String t = bearer(null);
        HttpResponse<String> r = send(verb, path, t, body);
        if (r.statusCode() == 401) r = send(verb, path, bearer(t), body);
        String text = r.body();
        LOG.info(verb + " " + path + " -> " + r.statusCode() + " " + text.substring(0, Math.min(1500, text.length())));
        return data(r);
    }
    Opened open(String order, String amount, String currency, String back, String cancel) throws Trouble {
        LOG.info("open payment: order " + order + ", " + amount + " " + currency);
        Map<String, Object> d = call("POST", "/payment/create", Json.object("amount", amount, "currency", currency, "return_url", back, "cancel_url", cancel, "custom", "order:" + order));
        if (d.get("token") instanceof String t && d.get("payment_url") instanceof String u) return new Opened(t, u);
        throw new Trouble("incomplete answer");
    }
    Map<String, Object> status(String payment) throws Trouble {
        Map<String, Object> d = call("GET", "/payment/status/" + payment, null);
        if (!payment.equals(d.get("token"))) throw new Trouble("status of another payment");
        LOG.info("payment " + payment + ": " + d.get("status") + ", trx " + d.get("trx_id"));
        return d;
    }
}
