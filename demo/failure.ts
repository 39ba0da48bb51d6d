/** Something the person at the terminal can mend: printed as it stands, without a stack. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure'
}

/** `error.code` of a failed system call, such as EADDRINUSE; undefined for other errors. */
export const systemCode = (error: unknown): string | undefined => {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
