import http from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";

function ask(url, seconds, sent) {
    return new Promise((done) => {
        const options = { method: "POST", agent: false, headers: { "Content-Type": "application/json", "Content-Length": sent.length } };
        let size = 0;
        const request = (url.startsWith("https") ? https : http).request(url, options, (answer) => {
            answer.on("data", (part) => {
                size += part.length;
                if (size >= 1_000_000) end(`ok ${answer.statusCode} 1000000`);
            });
            answer.on("end", () => end(`ok ${answer.statusCode} ${size}`));
            answer.on("error", (error) => end(`error in body ${error.code} ${error.message}`));
        });
        const timer = setTimeout(() => end("error timed out"), 1000 * Number(seconds));
        const end = (told) => { clearTimeout(timer); request.destroy(); done(told); };
        request.on("error", (error) => end(`error ${error.code} ${error.message}`));
        request.end(sent);
    });
}

for await (const line of createInterface({ input: process.stdin })) {
    console.log((await ask(...line.split(" "), process.argv[2])).replaceAll("\n", " "));
}
