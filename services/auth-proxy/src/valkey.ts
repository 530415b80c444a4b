import { Cluster, Redis } from 'iovalkey'

export type Valkey = Redis | Cluster

/** Waiting ends after `commandMs`; `whileAway` says what becomes of commands while nothing answers. */
type Manner = Readonly<{ commandMs: number; whileAway: 'fail' | 'wait' }>

const ADDRESS = /^rediss?(\+cluster)?:\/\//
const MOST_REDIRECTIONS = 8

/** Why a text is no address of Valkey or Redis; undefined when it is one.
 *
 * `redis://` and `rediss://` name a server, `redis+cluster://one:6379,other:6379` nodes of a
 * cluster, of which one has to answer.
 */
export function mistakeIn(address: string): string | undefined {
  if (!ADDRESS.test(address)) {
    return 'has to begin with redis://, rediss://, valkey:// or valkeys://, or for a cluster with valkey+cluster:// or so'
  }
  const named = serversOf(address)
  if (named.some((each) => !URL.canParse(each) || !new URL(each).hostname)) {
    return 'has to name servers as host:port'
  }
  const database = new URL(named[0] as string).pathname.replace(/^\//, '')
  if (isCluster(address) && !['', '0'].includes(database)) {
    return 'cannot name a database: a cluster has no other than 0'
  }
  return undefined
}

/** Connects to the server or cluster, and again whenever the connection is lost. */
export function connect(address: string, { commandMs, whileAway }: Manner): Valkey {
  const again = (attempt: number) => Math.min(100 * attempt, 1000)
  const timing = {
    connectTimeout: commandMs,
    ...(whileAway === 'fail' && { commandTimeout: commandMs }),
  }
  if (!isCluster(address)) {
    return new Redis(address, {
      ...timing,
      retryStrategy: again,
      ...(whileAway === 'fail'
        ? {
            enableOfflineQueue: false,
            maxRetriesPerRequest: 0,
            autoResendUnfulfilledCommands: false,
          }
        : { maxRetriesPerRequest: null }),
    })
  }
  const named = serversOf(address).map((each) => new URL(each))
  const { username, password, protocol } = named[0] as URL
  return new Cluster(
    named.map((each) => ({
      host: each.hostname.replace(/^\[|\]$/g, ''),
      port: Number(each.port || 6379),
    })),
    {
      clusterRetryStrategy: again,
      enableOfflineQueue: whileAway === 'wait',
      maxRedirections: MOST_REDIRECTIONS,
      slotsRefreshTimeout: commandMs,
      // A name stays one: what a certificate was made out for.
      dnsLookup: (host, found) => found(null, host),
      redisOptions: {
        ...timing,
        ...(username && { username: decodeURIComponent(username) }),
        ...(password && { password: decodeURIComponent(password) }),
        ...(protocol === 'rediss:' && { tls: {} }),
      },
    },
  )
}

/** Whether commands are taken: by the server, or by a cluster of which most primaries are there. */
export async function takesCommands(valkey: Valkey): Promise<boolean> {
  if (valkey.status !== 'ready') return false
  try {
    if (valkey instanceof Redis) return (await valkey.ping()) === 'PONG'
    return (await valkey.cluster('INFO')).includes('cluster_state:ok')
  } catch {
    return false
  }
}

function isCluster(address: string): boolean {
  return /^rediss?\+cluster:/.test(address)
}

/** An address of its own for each of the servers that are named. */
function serversOf(address: string): string[] {
  if (!isCluster(address)) return [address]
  const [, scheme, account = '', hosts = '', rest = ''] =
    /^(rediss?)\+cluster:\/\/(?:(.*)@)?([^/?#]*)(.*)$/.exec(address) ?? []
  const before = account ? `${account}@` : ''
  return hosts.split(',').map((host) => `${scheme}://${before}${host.trim()}${rest}`)
}
