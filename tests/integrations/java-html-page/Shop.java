import com.sun.net.httpserver.*;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import java.util.logging.Logger;

public final class Shop {
    static final Logger LOG = Logger.getLogger("shop");
    static final class Pay { final String token, url; String state = "open"; Pay(String t, String u) { token = t; url = u; } }
    static final class Order { final String id, amount, currency; String state = "AWAITING PAYMENT", note = ""; int parcels; boolean opening; final List<Pay> pays = new ArrayList<>();
        Order(String i, String a, String c) { id = i; amount = a; currency = c; } }
    static final Map<String, Order> ORDERS = new ConcurrentHashMap<>();
    static final Gateway GATEWAY = new Gateway();
    static final String PUBLIC = System.getenv("PUBLIC_URL");

    static void page(HttpExchange x, int code, String title, String body) throws IOException {
        byte[] b = ("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><h1>" + title + "</h1>" + body + "</body></html>").getBytes(StandardCharsets.UTF_8);
        x.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        x.sendResponseHeaders(code, b.length); x.getResponseBody().write(b); x.close();
    }
    static void go(HttpExchange x, String to) throws IOException { x.getResponseHeaders().set("Location", to); x.sendResponseHeaders(303, -1); x.close(); }
    static String esc(String s) { return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"); }
    static Map<String, String> form(String s) {
        Map<String, String> m = new HashMap<>();
        for (String p : s == null ? new String[0] : s.split("&")) { String[] kv = p.split("=", 2); if (kv.length == 2) m.put(URLDecoder.decode(kv[0], StandardCharsets.UTF_8), URLDecoder.decode(kv[1], StandardCharsets.UTF_8)); }
        return m;
    }

    static void checkout(HttpExchange x) throws IOException {
        if (!x.getRequestMethod().equals("POST")) { page(x, 405, "Not here", ""); return; }
        Map<String, String> f = form(new String(x.getRequestBody().readNBytes(8192), StandardCharsets.UTF_8));
        String id = f.getOrDefault("ref", ""), amount = f.getOrDefault("sum", ""), cur = f.getOrDefault("cur", "");
        if (!id.matches("[A-Za-z0-9_-]{1,40}") || !amount.matches("\\d{1,9}(\\.\\d{1,2})?") || !cur.matches("[A-Z]{3}")) { page(x, 400, "Please check your basket", ""); return; }
        Order o = ORDERS.computeIfAbsent(id, k -> new Order(k, amount, cur));
        synchronized (o) {
            if (o.opening) { page(x, 409, "One moment", "<p>Your payment is already being prepared.</p>"); return; }
            if (!o.state.equals("AWAITING PAYMENT")) { page(x, 409, "Already ordered", "<p>This order is paid or being looked at. <a href='/orders/" + id + "'>See your order</a></p>"); return; }
            o.opening = true;
        }
        try {
            try { verify(o); } catch (Gateway.Trouble t) { LOG.warning("cannot look at open payments of " + id + ": " + t.getMessage()); }
            Pay reuse = null; boolean done;
            synchronized (o) { done = !o.state.equals("AWAITING PAYMENT"); for (Pay p : o.pays) if (p.state.equals("open")) reuse = p; }
            if (done) { page(x, 409, "Already ordered", "<p>This order is paid.</p>"); return; }
            if (reuse != null) { go(x, reuse.url); return; }
            Gateway.Opened p = GATEWAY.open(id, o.amount, o.currency, PUBLIC + "/back/" + id, PUBLIC + "/cancelled/" + id);
            synchronized (o) { o.pays.add(new Pay(p.token(), p.url())); }
            go(x, p.url());
        } catch (Gateway.Trouble t) {
            LOG.severe("payment of order " + id + " could not be opened: " + t.getMessage());
            page(x, 503, "Sorry", "<p>We cannot take your payment right now. Nothing was charged. Please try again in a few minutes.</p>");
        } finally { synchronized (o) { o.opening = false; } }
    }
    static void verify(Order o) throws Gateway.Trouble {
        List<Pay> look; synchronized (o) { look = new ArrayList<>(o.pays); }
        for (Pay p : look) {
            synchronized (o) { if (p.state.equals("paid")) continue; }
            Map<String, Object> d = GATEWAY.status(p.token);
            synchronized (o) {
                if (p.state.equals("paid")) continue;
                if (Boolean.TRUE.equals(d.get("paid"))) {
                    p.state = "paid";
                    boolean ok; try { ok = new BigDecimal(String.valueOf(d.get("amount"))).compareTo(new BigDecimal(o.amount)) >= 0; } catch (NumberFormatException e) { ok = false; }
                    if (!ok || !o.currency.equals(d.get("currency")) || !("order:" + o.id).equals(d.get("custom"))) { if (!o.state.equals("PAID")) o.state = "ON HOLD"; LOG.severe("verification failed for order " + o.id + ": paid something else"); }
                    else if (o.state.equals("PAID")) { o.note = "refund due"; LOG.severe("order " + o.id + " paid twice"); }
                    else { o.state = "PAID"; o.parcels++; }
                } else if (Set.of("EXPIRED", "CANCELLED", "FAILED").contains(String.valueOf(d.get("status")))) p.state = "closed";
            }
        }
    }
    static void show(HttpExchange x, boolean ask) throws IOException {
        String path = x.getRequestURI().getPath(); Order o = ORDERS.get(path.substring(path.indexOf('/', 1) + 1));
        if (o == null) { page(x, 404, "Unknown order", ""); return; }
        if (ask) try { verify(o); } catch (Gateway.Trouble t) { LOG.severe("verification of order " + o.id + " failed: " + t.getMessage()); }
        synchronized (o) {
            page(x, 200, "Order " + esc(o.id), "<table><tr><td>State</td><td class='state'>" + o.state + "</td></tr><tr><td>Parcels</td><td class='parcels'>" + o.parcels + "</td></tr></table><p class='note'>" + o.note + "</p>"
                + (o.state.equals("AWAITING PAYMENT") ? "<p>We have not seen your payment yet; this page looks again when you reload it.</p>" : ""));
        }
    }
    interface H { void on(HttpExchange x) throws IOException; }
    static void route(HttpServer s, String path, H h) {
        s.createContext(path, x -> { try { h.on(x); } catch (RuntimeException e) { LOG.log(java.util.logging.Level.SEVERE, "bug", e); page(x, 500, "Sorry", "<p>Something went wrong on our side. Please try again.</p>"); } });
    }
    public static void main(String[] a) throws Exception {
        Thread.sleep(3000); // caches warm up
        HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(System.getenv("PORT"))), 100);
        s.setExecutor(Executors.newCachedThreadPool());
        route(s, "/ping", x -> page(x, 200, "up", ""));
        route(s, "/checkout", Shop::checkout);
        route(s, "/back/", x -> show(x, true));
        route(s, "/cancelled/", x -> show(x, true));
        route(s, "/orders/", x -> show(x, true));
        s.start(); LOG.info("shop listens");
        ScheduledExecutorService job = Executors.newSingleThreadScheduledExecutor();
        job.scheduleWithFixedDelay(() -> { for (Order o : ORDERS.values()) { boolean open; synchronized (o) { open = !o.pays.isEmpty() && o.state.equals("AWAITING PAYMENT"); } if (open) try { verify(o); } catch (Gateway.Trouble t) { LOG.warning("background check of " + o.id + ": " + t.getMessage()); } } }, 15, 15, TimeUnit.SECONDS);
    }
}
