/** What the scenarios share, from where those of other packages have it too. */
export * from '@bus/test-support/websocket'
