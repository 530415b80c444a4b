import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import proxyAddr from '@fastify/proxy-addr'

export type AddressOf = (message: IncomingMessage) => string

/** Tells a client's address: the nearest one in X-Forwarded-For that is no trusted proxy's, else the peer's. */
export function addressesBehind(trustedProxies: readonly string[]): AddressOf {
  const trust = proxyAddr.compile([...trustedProxies])
  return (message) => {
    const peer = message.socket.remoteAddress ?? ''
    const told = trustedProxies.length > 0 ? proxyAddr(message, trust) : peer
    return (isIP(told) ? told : peer).replace(/^::ffff:(?=\d+\.)/i, '')
  }
}
