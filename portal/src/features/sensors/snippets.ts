/** Lines that send a first reading, ready to paste. */

export type Snippet = { id: "python" | "shell" | "esp32"; code: string };

type Facts = { origin: string; token: string; signal: string };

export function snippetsFor({ origin, token, signal }: Facts): Snippet[] {
  const name = JSON.stringify(signal);
  return [
    {
      id: "python",
      code: [
        "# pip install runbench",
        "import time, runbench",
        `with runbench.Sensor(url="${origin}", token="${token}") as sensor:`,
        "    for n in range(100):",
        `        sensor.send(${name}, n % 10)`,
        "        time.sleep(0.1)",
      ].join("\n"),
    },
    {
      id: "shell",
      code: [
        `curl -X POST ${origin}/api/v1/telemetry \\`,
        `  -H "Authorization: Bearer ${token}" \\`,
        '  -H "Content-Type: application/json" \\',
        `  -d '{"series":[{"signal":${name},"t":['$(date +%s)'000000],"v":[21.5]}]}'`,
      ].join("\n"),
    },
    {
      id: "esp32",
      code: [
        "#include <HTTPClient.h>",
        "HTTPClient http;",
        `http.begin("${origin}/api/v1/telemetry");`,
        `http.addHeader("Authorization", "Bearer ${token}");`,
        'http.addHeader("Content-Type", "application/json");',
        "// After configTime(): seconds since 1970, sent as microseconds.",
        String.raw`String body = String("{\"series\":[{\"signal\":${JSON.stringify(name).slice(1, -1)},\"t\":[") + time(nullptr)`,
        String.raw`  + "000000],\"v\":[" + analogRead(34) + "]}]}";`,
        "http.POST(body);",
      ].join("\n"),
    },
  ];
}
