/** What handlers and what they are given exchange at its simplest. */

/** A value now or later. Hot paths return plain values, so that an answer from a cache costs no promise. */
export type Awaitable<T> = T | Promise<T>

export type Json = string | number | boolean | null | Json[] | JsonObject

export interface JsonObject {
  [name: string]: Json
}
