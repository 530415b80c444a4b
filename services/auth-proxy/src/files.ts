import type { FastifyRequest } from 'fastify'

/** The addresses whose body is a file, of any type and size: the services and the gateway bound them. */
const FILES: readonly [method: string, address: RegExp][] = [
  ['PUT', /^\/api\/v1\/runs\/[A-Za-z0-9-]+\/artifacts\/[^?]/],
  ['PUT', /^\/api\/v1\/uploads\/[A-Za-z0-9-]+\/parts\/\d+$/],
  ['POST', /^\/api\/v1\/sensors\/[A-Za-z0-9-]+\/imports(?:\?|$)/],
]

/** What a page of another origin can send without asking: the types of HTML forms, and none at all. */
const OF_FORMS =
  /^(?:$|application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(?:;|$)/i

/** Time for a service to answer once it has the whole file: it may have to read all of it. */
export const FILE_PATIENCE_MS = 65_000

/** Whether the request brings a file. */
export function bringsFile({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): boolean {
  return FILES.some(([known, address]) => known === method && address.test(url))
}

/** Whether a file may come under this media type: any that no form of another page could send. */
export function isTypeOfFile(type: string): boolean {
  return !OF_FORMS.test(type.trim())
}
