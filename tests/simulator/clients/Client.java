import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

class Client {
    public static void main(String[] args) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(ask(line.split(" ")[0], Math.round(1000 * Double.parseDouble(line.split(" ")[1])), args[0]).replace('\n', ' '));
        }
    }

    static String ask(String url, long patience, String body) throws Exception {
        var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofMillis(patience)).build();
        var request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        // The limit of a request ends at its headers: this one is for the body, too.
        var answer = client.sendAsync(request, HttpResponse.BodyHandlers.ofInputStream()).thenApplyAsync(Client::read);
        try {
            return answer.get(patience, TimeUnit.MILLISECONDS);
        } catch (java.util.concurrent.TimeoutException late) {
            answer.cancel(true);
            return "error timed out";
        } catch (java.util.concurrent.ExecutionException failed) {
            var text = new StringBuilder("error");
            for (Throwable cause = failed.getCause(); cause != null; cause = cause.getCause()) text.append(' ').append(cause);
            return text.toString();
        }
    }

    static String read(HttpResponse<java.io.InputStream> answer) {
        try (var stream = answer.body()) {
            return "ok " + answer.statusCode() + " " + stream.readNBytes(1_000_000).length;
        } catch (java.io.IOException failed) {
            return "error in body " + failed;
        }
    }
}
