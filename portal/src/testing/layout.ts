/** A window with a size and a canvas to draw on, where a test needs them: jsdom lays nothing out. */

const width = 900;
const height = 600;

/** Gives every element a size, so that virtual lists have room and charts have pixels. */
export function installLayout(): void {
  for (const [name, size] of [
    ["offsetWidth", width],
    ["offsetHeight", height],
    ["clientWidth", width],
    ["clientHeight", height],
  ] as const) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => size });
  }
  HTMLElement.prototype.getBoundingClientRect = () => new DOMRect(0, 0, width, height);
  HTMLElement.prototype.scrollTo = () => undefined;
  HTMLCanvasElement.prototype.getContext = context as unknown as HTMLCanvasElement["getContext"];
  globalThis.Path2D ??= class {
    moveTo() {}
    lineTo() {}
    rect() {}
    arc() {}
    closePath() {}
    addPath() {}
  } as unknown as typeof Path2D;
}

function context(this: HTMLCanvasElement) {
  const state: Record<string, unknown> = { canvas: this };
  return new Proxy(state, {
    get: (target, name: string) => {
      if (name === "measureText") return (text: string) => ({ width: text.length * 6 });
      return name in target ? target[name] : () => undefined;
    },
    set: (target, name: string, value) => {
      target[name] = value;
      return true;
    },
  });
}
