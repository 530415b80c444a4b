import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Follows a server's connections, so that closing waits for requests and for nothing else.
 *
 * Node closes kept-alive connections when a server closes, but neither those that were opened ahead of
 * need (as browsers do) nor those whose last answer ends afterwards.
 */
export function followConnections(server: Server) {
  const open = new Set<Socket>()
  const busy = new Set<Socket>()
  let draining = false

  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    busy.add(socket)
    response.on('close', () => {
      busy.delete(socket)
      if (draining) socket.destroySoon()
    })
  })

  return {
    /** Closes what carries no request, now and from now on. */
    drain: () => {
      draining = true
      for (const socket of open) if (!busy.has(socket)) socket.destroy()
    },
  }
}
