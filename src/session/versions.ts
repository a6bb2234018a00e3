import { ErrorCode, isObject } from '../wire/message.ts';

/** The versions that a server names when it refuses another one (2026-07-28, basic, versioning), or `undefined`. */
export function versionsOffered(message: unknown): string | undefined {
  const error = isObject(message) && isObject(message.error) ? message.error : {};
  const data = isObject(error.data) ? error.data : {};
  const isRefusal = error.code === ErrorCode.unsupportedVersion && Array.isArray(data.supported);
  return isRefusal ? wordVersions(data.supported) : undefined;
}

/** A list of versions in words. What is no text is none. */
export function wordVersions(versions: unknown): string {
  const all = Array.isArray(versions) ? versions.filter((version) => typeof version === 'string') : [];
  return all.length === 0 ? '(none)' : all.join(', ');
}

/** Why a generation that speaks other versions than the session cannot take over, and what helps. */
export function otherVersion(spoken: string, session: string): string {
  return `it speaks protocol version ${spoken} and this session has ${session}; reconnect the client to use ${spoken}`;
}
