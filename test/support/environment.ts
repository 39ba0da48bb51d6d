/** What a program that a test starts gets of this process's environment. */

/** The place of programs, and of what Node has compiled before: the second changes nothing but how soon it starts. */
export const environment: Readonly<Record<string, string>> = Object.fromEntries(
  ['PATH', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }),
)
