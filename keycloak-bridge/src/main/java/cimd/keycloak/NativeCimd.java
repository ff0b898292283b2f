// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The functions of libcimd_jni.so.
 *
 * <p>No static initialiser loads it: "kc.sh build" touches classes of this
 * jar on machines that have no such file. Loading is final, a virtual machine
 * takes a library once; what fails may be tried again.
 */
final class NativeCimd {
    /** Of the library that fits to this class; see cimd_jni.c. */
    private static final int ABI = 1;
    private static Path loaded;

    private NativeCimd() {
    }

    /** @param library where it is, an absolute path */
    static synchronized void load(Path library) throws EngineException {
        if (!library.isAbsolute()) {
            throw new EngineException(library + " is not an absolute path");
        }
        if (loaded == null) {
            try {
                System.load(library.toString());
            } catch (LinkageError | RuntimeException e) {
                throw new EngineException(library + " cannot be loaded: "
                    + e.getMessage(), e);
            }
            loaded = library;
        }
        if (!loaded.equals(library)) {
            throw new EngineException("this process has loaded " + loaded
                + " and cannot load " + library + " as well");
        }
        int abi = abiOf(library);
        if (abi != ABI) {
            throw new EngineException(library + " is of another release:"
                + " interface " + abi + ", not " + ABI);
        }
    }

    private static int abiOf(Path library) throws EngineException {
        try {
            return abi();
        } catch (LinkageError e) {
            throw new EngineException(library + " is not libcimd_jni; this"
                + " process must be started again", e);
        }
    }

    private static native int abi();

    /** As "0.1.0", of the libcimd that runs. */
    static native byte[] version();

    /** @param config the JSON that "cimdd -t --json" prints */
    static native long open(byte[] config) throws IOException;

    static native void reload(long handle, byte[] config) throws IOException;

    static native byte[] client(long handle, byte[] request)
        throws IOException;

    static native void close(long handle);
}
