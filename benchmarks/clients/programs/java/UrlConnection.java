import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.Timer;
import java.util.TimerTask;

/** java.net.HttpURLConnection of the JDK. */
class UrlConnection {
    public static void main(String[] words) throws Exception {
        if (!words[0].equals("--version") && !words[2].equals("default")) {
            System.setProperty("sun.net.http.retryPost", "false"); // recommended
        }
        Told.tell("HttpURLConnection", words, mode -> asked -> call(mode, asked));
    }

    static Told.Answer call(String mode, Told.Asked asked) throws IOException {
        var connection = (HttpURLConnection) new URL(asked.url()).openConnection();
        if (mode.equals("set")) {
            connection.setConnectTimeout(5_000); // recommended
            connection.setReadTimeout(30_000); // recommended
        }
        connection.setRequestMethod(asked.method());
        connection.setRequestProperty("Authorization", "Bearer " + asked.token());
        return mode.equals("clock") ? limited(connection, asked) : ask(connection, asked);
    }

    static Told.Answer ask(HttpURLConnection connection, Told.Asked asked) throws IOException {
        send(connection, asked);
        try (var answer = connection.getInputStream()) {
            return new Told.Answer(connection.getResponseCode(), answer.readAllBytes().length);
        }
    }

    static void send(HttpURLConnection connection, Told.Asked asked) throws IOException {
        if (!asked.body().isEmpty()) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            try (var sent = connection.getOutputStream()) {
                sent.write(asked.body().getBytes());
            }
        }
    }

    static Told.Answer limited(HttpURLConnection connection, Told.Asked asked) throws IOException {
        connection.setConnectTimeout(5_000); // clock
        connection.setReadTimeout(15_000); // clock
        connection.setRequestProperty("Connection", "close"); // clock
        long ends = System.nanoTime() + 30_000_000_000L; // clock
        var headers = new Timer(true); // clock
        headers.schedule(new TimerTask() { public void run() { connection.disconnect(); } }, 30_000); // clock
        try { // clock
            send(connection, asked); // clock
            var answer = connection.getInputStream(); // clock
            headers.cancel(); // clock
            var read = new ByteArrayOutputStream(); // clock
            for (int next = answer.read(); next >= 0; next = answer.read()) { // clock
                read.write(next); // clock
                if (System.nanoTime() > ends) throw new IOException("the whole call took more than 30 s"); // clock
            } // clock
            return new Told.Answer(connection.getResponseCode(), read.size());
        } finally { // clock
            headers.cancel(); // clock
            connection.disconnect(); // clock
        } // clock
    }
}
