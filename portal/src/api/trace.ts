/** Where a trace begins: what a page asks names itself, and every server on the way goes on with it. */

export type Trace = {
  /** 32 hexadecimal digits, under which logs and traces of all servers have the request. */
  id: string;
  /** The header of the W3C (https://www.w3.org/TR/trace-context/). */
  traceparent: string;
};

/** A trace for one request. */
export function newTrace(): Trace {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const id = digits.slice(0, 32);
  return { id, traceparent: `00-${id}-${digits.slice(32)}-01` };
}
