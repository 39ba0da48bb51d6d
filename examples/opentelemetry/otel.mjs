// Registers an OpenTelemetry SDK before the gateway starts: node --import ./otel.mjs. Its settings are the variables OTEL_….
import { NodeSDK } from '@opentelemetry/sdk-node'

const sdk = new NodeSDK()
sdk.start()
// The gateway stops by itself on SIGTERM and SIGINT; what is left of the traces goes out after its last request.
process.once('beforeExit', () => void sdk.shutdown())
