/** The keys of a chart that has the focus, by their place on the keyboard. */

const commands = {
  ArrowLeft: "previous",
  ArrowRight: "next",
  Home: "first",
  End: "last",
  Equal: "zoomIn",
  NumpadAdd: "zoomIn",
  Minus: "zoomOut",
  NumpadSubtract: "zoomOut",
  Digit0: "everything",
  BracketLeft: "panLeft",
  BracketRight: "panRight",
  KeyL: "follow",
  KeyS: "smoothing",
  KeyY: "logarithmic",
  KeyF: "maximise",
  KeyD: "table",
  KeyA: "placeA",
  KeyB: "placeB",
  Escape: "leave",
} as const;

export type ChartCommand = (typeof commands)[keyof typeof commands];

export function commandOf(code: string): ChartCommand | null {
  return code in commands ? commands[code as keyof typeof commands] : null;
}
