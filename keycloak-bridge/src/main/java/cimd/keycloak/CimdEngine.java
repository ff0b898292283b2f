// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.io.Closeable;

/**
 * Where lookups go: cimdd behind its socket, or libcimd in this process.
 *
 * <p>Bytes in, bytes out, the same JSON on both ways: Strings would lose what
 * is outside the basic plane on their way through JNI. An engine is made once
 * and used by many threads.
 */
interface CimdEngine extends Closeable {
    /**
     * One lookup.
     *
     * @param request the JSON of {@code POST /v1/client}
     * @return the decision record, or a problem document (RFC 9457)
     * @throws EngineException there is no answer: no daemon, no library, out
     *     of time, or something that is not an answer; BusyException where
     *     the engine is not to blame
     */
    byte[] client(byte[] request) throws EngineException;

    /** For log lines: which engine, and where. */
    String describe();

    /** Gives back what it holds; never fails. */
    @Override
    void close();
}
