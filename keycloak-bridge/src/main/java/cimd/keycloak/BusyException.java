// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

/**
 * Too many lookups wait already: the engine was not asked.
 *
 * <p>That is no outage. Whoever sends enough requests could bring it about,
 * so that nothing may be let in because of it.
 */
final class BusyException extends EngineException {
    private static final long serialVersionUID = 1L;

    BusyException() {
        super("too many lookups are under way");
    }
}
