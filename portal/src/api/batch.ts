/** One request for what many panels ask for at the same moment. */

type Waiting<Value> = {
  key: string;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
};

/**
 * Collects the keys asked for with the same `group` until the next task and loads them together. `load`
 * answers by key; a key that it leaves out becomes `missing(key)`.
 */
export function batched<Group, Value>(
  load: (group: Group, keys: string[]) => Promise<Map<string, Value>>,
  missing: (key: string) => Value,
): (group: Group, key: string) => Promise<Value> {
  const waiting = new Map<string, { group: Group; asked: Waiting<Value>[] }>();

  async function send(group: Group, asked: Waiting<Value>[]): Promise<void> {
    try {
      const found = await load(group, [...new Set(asked.map(({ key }) => key))]);
      for (const { key, resolve } of asked) resolve(found.get(key) ?? missing(key));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  return (group, key) =>
    new Promise((resolve, reject) => {
      const name = JSON.stringify(group);
      let batch = waiting.get(name);
      if (!batch) {
        batch = { group, asked: [] };
        waiting.set(name, batch);
        setTimeout(() => {
          const { asked } = waiting.get(name) ?? { asked: [] };
          waiting.delete(name);
          void send(group, asked);
        });
      }
      batch.asked.push({ key, resolve, reject });
    });
}
