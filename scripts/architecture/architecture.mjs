/**
 * The architecture as data: what each package may import, and which of its folders stand above which.
 *
 * `npm run check` compares it with the imports in the sources; a package or a folder that does not exist is passed over.
 *
 * - `imports`: the packages that the sources may import, besides the modules of Node.
 * - `layers`: for a folder (`.` is `src`) the folders in it, from the top to the bottom. A file may import from lower layers,
 *   never from a higher one. Folders in one row do not know each other. Files that lie beside the folders wire them, and may
 *   import from all of them, as every folder may import those files.
 * - `exceptions`: an import against the layers, as `importer -> imported`, with its reason.
 */
export const ARCHITECTURE = {
  core: {
    imports: ['@standard-schema/spec', 'denque', 'p-queue', 'uuid'],
    layers: {
      '.': [
        ['bus', 'memory'],
        ['codec', 'resilience'],
        ['observe'],
        ['queue'],
        ['config'],
        ['contract'],
      ],
    },
    exceptions: [
      'contract -> config', // errors describe values as options do
      // The options and figures of a subscription are types of the contract, declared where they are resolved.
      'contract -> observe',
      'contract -> queue',
      'contract -> resilience',
    ],
  },
  websocket: {
    imports: ['@bus/core', 'denque', 'opossum', 'p-queue', 'ws'],
    layers: {
      '.': [['client', 'hub'], ['socket'], ['protocol']],
      client: [
        ['handover'],
        ['observe'],
        ['reconnect'],
        ['bus-v1'],
        ['subscriptions'],
        ['outbox'],
        ['link'],
        ['options'],
        ['frames'],
      ],
      'hub/bus-v1': [['connections'], ['publishing'], ['sessions'], ['log'], ['admission']],
    },
    exceptions: [
      'protocol -> client', // authors of dialects check the options that they take along with ours
    ],
  },
  testing: {
    imports: ['@bus/core', '@bus/recording', 'ws'],
    layers: {
      '.': [['hub-protocol', 'test-bus'], ['conformance', 'mock-server'], ['chaos']],
      conformance: [
        ['run', 'report'],
        ['cases'],
        ['campaign'],
        ['case-tools'],
        ['properties'],
        ['world'],
      ],
    },
  },
  platforms: {
    imports: ['@bus/core', '@bus/rate-limit', '@bus/websocket', 'p-queue'],
    layers: { '.': [['channels', 'connectors', 'json-rpc']] },
  },
  compose: { imports: ['@bus/core'] },
  'rate-limit': { imports: ['@bus/core'] },
  recording: { imports: ['@bus/core'] },
  cli: {
    imports: [
      '@bus/compose',
      '@bus/core',
      '@bus/platforms',
      '@bus/rate-limit',
      '@bus/recording',
      '@bus/testing',
      '@bus/websocket',
    ],
  },
}
