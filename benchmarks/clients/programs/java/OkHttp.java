import java.time.Duration;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;

/** OkHttp. */
class OkHttp {
    public static void main(String[] words) throws Exception {
        Told.tell("OkHttp " + okhttp3.OkHttp.VERSION, words, OkHttp::connect);
    }

    static Told.Call connect(String mode) {
        var client = new OkHttpClient();
        if (mode.equals("set")) {
            client = new OkHttpClient.Builder().retryOnConnectionFailure(false) // recommended
                .connectTimeout(Duration.ofSeconds(5)).readTimeout(Duration.ofSeconds(30)).callTimeout(Duration.ofSeconds(30)).build(); // recommended
        }
        var made = client;
        return asked -> call(made, asked);
    }

    static Told.Answer call(OkHttpClient client, Told.Asked asked) throws Exception {
        var request = new Request.Builder().url(asked.url()).header("Authorization", "Bearer " + asked.token());
        if (!asked.body().isEmpty()) {
            request.post(RequestBody.create(asked.body(), MediaType.get("application/json")));
        }
        try (var answer = client.newCall(request.build()).execute()) {
            return new Told.Answer(answer.code(), answer.body().bytes().length);
        }
    }
}
