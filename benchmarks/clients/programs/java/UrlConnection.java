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
        if (!asked.body().isEmpty()) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            try (var sent = connection.getOutputStream()) {
                sent.write(asked.body().getBytes());
            }
        }
        var read = new ByteArrayOutputStream();
        try (var answer = connection.getInputStream()) {
            answer.transferTo(read);
        }
        return new Told.Answer(connection.getResponseCode(), read.size());
    }

    static Told.Answer limited(HttpURLConnection connection, Told.Asked asked) throws IOException {
        connection.setConnectTimeout(5_000); // clock
        connection.setReadTimeout(15_000); // clock
        var clock = new Timer(true); // clock
        clock.schedule(new TimerTask() { public void run() { connection.disconnect(); } }, 30_000); // clock
        try { // clock
            return ask(connection, asked); // clock
        } finally { // clock
            clock.cancel(); // clock
        } // clock
    }
}
