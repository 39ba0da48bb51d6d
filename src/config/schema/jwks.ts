import { z } from 'zod'

const keyExport = z
  .strictObject({
    file: z.string().min(1).describe('File for the public keys; replaced at one stroke whenever they change. Absolute, or relative to the working directory.'),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe('Program and arguments to run after a change, without a shell; it has 30 seconds.'),
    signal: z
      .enum(['SIGHUP', 'SIGUSR1', 'SIGUSR2'])
      .optional()
      .describe('Signal to send after a change to the process that `pid_file` names; PostgREST reads its keys again on SIGUSR2.'),
    pid_file: z.string().min(1).optional().describe('File with the process id to signal.'),
  })
  .refine(({ signal, pid_file: pidFile }) => (signal === undefined) === (pidFile === undefined), {
    error: 'must have both signal and pid_file, or neither',
  })

export const jwks = z
  .strictObject({
    export: keyExport.optional().describe('Keep the public keys in a file, for verifiers that cannot fetch them.'),
  })
  .prefault({})
  .describe('The public keys of all key sets that sign.')
