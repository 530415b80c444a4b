/** A browser's User-Agent in two words: `Firefox · Linux`. What is not recognised is shown as it came. */
export function describeAgent(agent: string): string {
  const browser = (
    [
      ["Edg/", "Edge"],
      ["OPR/", "Opera"],
      ["YaBrowser/", "Yandex Browser"],
      ["Firefox/", "Firefox"],
      ["Chrome/", "Chrome"],
      ["Safari/", "Safari"],
    ] as const
  ).find(([mark]) => agent.includes(mark))?.[1];
  const system = (
    [
      ["Android", "Android"],
      ["iPhone", "iPhone"],
      ["iPad", "iPad"],
      ["Windows", "Windows"],
      ["Mac OS X", "macOS"],
      ["Linux", "Linux"],
    ] as const
  ).find(([mark]) => agent.includes(mark))?.[1];
  if (!browser) return agent.split(" ")[0] ?? agent;
  return system ? `${browser} · ${system}` : browser;
}
