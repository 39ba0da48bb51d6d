/** Finds what an `import` names: its name (one per content) and bytes; undefined when there is none. */
export type Importer = (path: string, from: string) => { readonly file: string; readonly bytes: Uint8Array } | undefined
