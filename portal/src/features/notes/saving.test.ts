import { expect, test } from "vitest";
import { Problem } from "@/api/problem";
import { joined, type Stored, saveOver } from "./saving";

/** A text on a server that refuses old versions. */
function server(now: Stored) {
  return {
    now,
    async save(text: string, version: number) {
      if (version !== this.now.version)
        throw new Problem({ status: 412, type: "/problems/precondition-failed" });
      this.now = { text, version: version + 1 };
      return this.now;
    },
    async load() {
      return this.now;
    },
  };
}

const base = { text: "old", version: 1 };

test("a text is saved over the version it was written from", async () => {
  const place = server(base);
  expect(await saveOver(place, "new", base)).toEqual({
    kind: "saved",
    stored: { text: "new", version: 2 },
  });
});

test("a newer version with the same text is no conflict", async () => {
  const place = server({ text: "old", version: 5 });
  expect((await saveOver(place, "new", base)).kind).toBe("saved");
  expect(place.now).toEqual({ text: "new", version: 6 });
});

test("somebody else's text is handed back and stays on the server", async () => {
  const place = server({ text: "theirs", version: 2 });
  expect(await saveOver(place, "mine", base)).toEqual({
    kind: "conflict",
    theirs: { text: "theirs", version: 2 },
  });
  expect(place.now.text).toBe("theirs");
});

test("other failures are told as they are", async () => {
  const place = {
    save: () => Promise.reject(new Problem({ status: 403 })),
    load: async () => base,
  };
  await expect(saveOver(place, "mine", base)).rejects.toMatchObject({ status: 403 });
});

test("both texts in one keep a line between them", () => {
  expect(joined("theirs\n", "\nmine")).toBe("theirs\n\n---\n\nmine");
});
