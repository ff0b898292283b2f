// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

/**
 * The engine answered, but what it said is no answer: not HTTP, too long, not
 * JSON, or about another client. The message says which.
 *
 * <p>Unlike an outage that costs nobody any time, so that the next lookup is
 * sent as if nothing had been.
 */
final class GarbledException extends EngineException {
    private static final long serialVersionUID = 1L;

    GarbledException(String message) {
        super(message);
    }

    GarbledException(String message, Throwable cause) {
        super(message, cause);
    }
}
