/** What is asked of the targets, and how much of it at a time. */
import { requestHead, type Head } from './answers.ts'

export interface Workload {
  readonly name: 'get' | 'post' | 'download' | 'upload'
  readonly title: string
  readonly connections: number
  /** Where a target answers it, given what it is called. */
  readonly path: (at: string) => string
  readonly head: Head
  /** Bytes of the request's body. */
  readonly bodySize: number
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

export const workloads: readonly Workload[] = [
  {
    name: 'get',
    title: 'GET, 1 KiB of JSON',
    connections: 64,
    path: (at) => `/${at}`,
    head: requestHead('GET', 0),
    bodySize: 0,
  },
  {
    name: 'post',
    title: 'POST of 1 KiB, answered with 1 KiB of JSON',
    connections: 64,
    path: (at) => `/${at}`,
    head: requestHead('POST', kibibyte),
    bodySize: kibibyte,
  },
  {
    name: 'download',
    title: 'GET, 1 MiB',
    connections: 16,
    path: (at) => `/${at}/download`,
    head: requestHead('GET', 0),
    bodySize: 0,
  },
  {
    name: 'upload',
    title: 'POST of 10 MiB',
    connections: 8,
    path: (at) => `/${at}/upload`,
    head: requestHead('POST', 10 * mebibyte),
    bodySize: 10 * mebibyte,
  },
]
