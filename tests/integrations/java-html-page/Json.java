import java.util.*;

/** As much JSON as the gateway speaks. */
final class Json {
    private final String s; private int i;
    private Json(String s) { this.s = s; }
    static Object parse(String text) {
        Json j = new Json(text); Object v = j.value(); j.ws();
        if (j.i != text.length()) throw new IllegalArgumentException("trailing text");
        return v;
    }
    private void ws() { while (i < s.length() && Character.isWhitespace(s.charAt(i))) i++; }
    private char at() { if (i >= s.length()) throw new IllegalArgumentException("cut"); return s.charAt(i); }
    private Object value() {
        ws(); char c = at();
        if (c == '{') { i++; Map<String, Object> m = new LinkedHashMap<>(); ws(); if (at() == '}') { i++; return m; }
            while (true) { ws(); String k = string(); ws(); if (at() != ':') throw new IllegalArgumentException(); i++; m.put(k, value()); ws(); char d = at(); i++; if (d == '}') return m; if (d != ',') throw new IllegalArgumentException(); } }
        if (c == '[') { i++; List<Object> l = new ArrayList<>(); ws(); if (at() == ']') { i++; return l; }
            while (true) { l.add(value()); ws(); char d = at(); i++; if (d == ']') return l; if (d != ',') throw new IllegalArgumentException(); } }
        if (c == '"') return string();
        if (s.startsWith("true", i)) { i += 4; return true; }
        if (s.startsWith("false", i)) { i += 5; return false; }
        if (s.startsWith("null", i)) { i += 4; return null; }
        int b = i; while (i < s.length() && "+-.eE0123456789".indexOf(s.charAt(i)) >= 0) i++;
        return new java.math.BigDecimal(s.substring(b, i));
    }
    private String string() {
        if (at() != '"') throw new IllegalArgumentException(); i++; StringBuilder b = new StringBuilder();
        while (true) { char c = at(); i++;
            if (c == '"') return b.toString();
            if (c != '\\') { b.append(c); continue; }
            char e = at(); i++;
            switch (e) { case 'n': b.append('\n'); break; case 't': b.append('\t'); break; case 'r': b.append('\r'); break; case 'b': b.append('\b'); break; case 'f': b.append('\f'); break;
                case 'u': b.append((char) Integer.parseInt(s.substring(i, i + 4), 16)); i += 4; break; default: b.append(e); } }
    }
    static String quote(String v) { return "\"" + v.replace("\\", "\\\\").replace("\"", "\\\"") + "\""; }
    static String object(String... kv) {
        StringJoiner j = new StringJoiner(",", "{", "}");
        for (int k = 0; k < kv.length; k += 2) j.add(quote(kv[k]) + ":" + quote(kv[k + 1]));
        return j.toString();
    }
}
