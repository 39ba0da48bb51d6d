/** What bytes may be where in a message head (RFC 9110 sections 5.5 and 5.6.2), as tables indexed by the byte. */

export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20

const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/** 1 for what a field name or a method consists of. */
export const tokenByte: Uint8Array = new Uint8Array(256)
for (let i = 0; i < TOKEN.length; i++) tokenByte[TOKEN.charCodeAt(i)] = 1

/** 1 for what a field value consists of: no control characters but the tab. */
export const valueByte: Uint8Array = new Uint8Array(256).fill(1, 0x20).fill(0, 0x7f, 0x80)
valueByte[HTAB] = 1
