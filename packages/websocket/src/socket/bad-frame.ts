/** Bad frames: how ws says that the other side broke the rules of WebSocket, or a limit of ours. */

/** Whether the error of a socket tells of a frame that breaks the rules, or our limits. */
export function isBadFrame(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code?.startsWith('WS_ERR_') === true
}
