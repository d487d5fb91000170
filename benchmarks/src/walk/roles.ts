/**
 * Loader hooks that give publisher, hub and subscriber a copy of our packages each, so that one process can run all three
 * and the engine still tells their functions apart: what a module of a role imports of ours is of that role too.
 */
import type { ResolveHook } from 'node:module'

const ROLE = /\?role=\w+$/

/** Hands the role on from the importing module to the imported one. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context)
  const [role] = ROLE.exec(context.parentURL ?? '') ?? []
  const isOurs = /\/packages\/[^/]+\/dist\/[^?]+$/.test(found.url)
  return role !== undefined && isOurs ? { ...found, url: `${found.url}${role}` } : found
}
