/** The session cookie: its name, how it is read and how it is written. */
export type SessionCookie = {
  readonly name: string
  /** Every value that a Cookie header gives the session cookie, in order. */
  valuesIn(header: string | undefined): string[]
  /** The Set-Cookie header that keeps a ticket for `seconds`. */
  keeping(ticket: string, seconds: number): string
  /** The Set-Cookie header that removes the cookie. */
  readonly removing: string
}

/** The cookie for a public origin.
 *
 * With https it is `__Host-runbench`: the prefix makes browsers refuse it from another host, another
 * path or an unsafe connection. On http://localhost, where not every browser keeps a Secure cookie, it
 * is plain `runbench`. SameSite=Strict is enough: the portal's page is the same for everybody and asks
 * for its data from its own origin, so no navigation from elsewhere needs the cookie.
 */
export function sessionCookie(secure: boolean): SessionCookie {
  const name = secure ? '__Host-runbench' : 'runbench'
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  return {
    name,
    valuesIn: (header = '') =>
      header
        .split(';')
        .map((pair) => pair.trim())
        .filter((pair) => pair === name || pair.startsWith(`${name}=`))
        .map((pair) => pair.slice(name.length + 1)),
    keeping: (ticket, seconds) => `${name}=${ticket}; Max-Age=${seconds}; ${attributes}`,
    removing: `${name}=; Max-Age=0; ${attributes}`,
  }
}
