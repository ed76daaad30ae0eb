/** What every client of Java has in common: reads the command line, calls, tells. */
final class Told {
    record Asked(String url, String method, String token, String body) {}

    record Answer(int status, int bytes) {}

    interface Call {
        Answer ask(Asked asked) throws Exception;
    }

    interface Connect {
        Call to(String mode) throws Exception;
    }

    static void tell(String version, String[] words, Connect connect) throws Exception {
        if (words[0].equals("--version")) {
            System.out.println(version + ", Java " + System.getProperty("java.version"));
            return;
        }
        var asked = new Asked(words[0], words[1], words[4], words[5]);
        var call = connect.to(words[2]);
        for (int made = 0; made < Integer.parseInt(words[3]); made++) {
            Thread.sleep(made > 0 ? 100 : 0);
            long began = System.nanoTime();
            String told = outcome(call, asked);
            System.out.printf("{%s, \"seconds\": %.2f}%n", told, (System.nanoTime() - began) / 1e9);
        }
        System.in.readAllBytes();
        System.exit(0);
    }

    private static String outcome(Call call, Asked asked) {
        try {
            var answer = call.ask(asked);
            return "\"outcome\": \"answer\", \"status\": %d, \"bytes\": %d".formatted(answer.status(), answer.bytes());
        } catch (Exception error) {
            var text = error.toString().replaceAll("[\\\\\"\\p{Cntrl}]", " ");
            return "\"outcome\": \"error\", \"error\": \"%s\"".formatted(text.substring(0, Math.min(200, text.length())));
        }
    }
}
