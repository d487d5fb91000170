/** How much is measured: `smoke` only shows that everything still runs. */
export type Size = 'full' | 'quick' | 'smoke'
