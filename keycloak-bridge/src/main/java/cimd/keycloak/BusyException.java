// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

/**
 * The engine was not asked, or not to the end, for a reason that is not its
 * own: too many lookups wait already, or Keycloak gave this one up.
 *
 * <p>That is no outage. Whoever sends enough requests could bring it about,
 * so that nothing may be let in because of it.
 */
final class BusyException extends EngineException {
    private static final long serialVersionUID = 1L;

    BusyException(String message) {
        super(message);
    }
}
