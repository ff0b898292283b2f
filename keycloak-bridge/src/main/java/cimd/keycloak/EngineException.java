// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.io.IOException;

/** The engine gave no answer; the message is for the administrator's log. */
class EngineException extends IOException {
    private static final long serialVersionUID = 1L;

    EngineException(String message) {
        super(message);
    }

    EngineException(String message, Throwable cause) {
        super(message, cause);
    }
}
