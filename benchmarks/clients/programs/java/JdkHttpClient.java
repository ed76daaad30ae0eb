import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** java.net.http.HttpClient of the JDK. */
class JdkHttpClient {
    public static void main(String[] words) throws Exception {
        Told.tell("java.net.http.HttpClient", words, JdkHttpClient::connect);
    }

    static Told.Call connect(String mode) {
        var client = HttpClient.newHttpClient();
        if (!mode.equals("default")) {
            client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build(); // recommended
        }
        var made = client;
        return asked -> call(made, mode, asked);
    }

    static Told.Answer call(HttpClient client, String mode, Told.Asked asked) throws Exception {
        var builder = HttpRequest.newBuilder(URI.create(asked.url())).header("Authorization", "Bearer " + asked.token());
        if (asked.body().isEmpty()) {
            builder.GET();
        } else {
            builder.header("Content-Type", "application/json").POST(BodyPublishers.ofString(asked.body()));
        }
        if (mode.equals("set")) {
            builder.timeout(Duration.ofSeconds(30)); // recommended
        }
        var answer = mode.equals("clock") ? limited(client, builder.build()) : client.send(builder.build(), BodyHandlers.ofByteArray());
        return new Told.Answer(answer.statusCode(), answer.body().length);
    }

    static HttpResponse<byte[]> limited(HttpClient client, HttpRequest request) throws Exception {
        var call = client.sendAsync(request, BodyHandlers.ofByteArray()); // clock
        try { // clock
            return call.get(30, TimeUnit.SECONDS); // clock
        } catch (TimeoutException error) { // clock
            call.cancel(true); // clock
            throw error; // clock
        } // clock
    }
}
