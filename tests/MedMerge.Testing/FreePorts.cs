using System.Net;
using System.Net.Sockets;

namespace MedMerge.Testing;

/// <summary>
/// Ports that are free now: below those that the system gives to connections, which could take one before its process listens,
/// and none twice.
/// </summary>
public static class FreePorts
{
    private const int First = 20_000;
    private const int Last = 32_000;
    private static readonly HashSet<int> Given = [];

    public static int Take()
    {
        lock (Given)
        {
            while (true)
            {
                var port = Random.Shared.Next(First, Last);
                if (!Given.Add(port)) continue;
                try
                {
                    using var listener = new TcpListener(IPAddress.Loopback, port);
                    listener.Start();
                    return port;
                }
                catch (SocketException)
                {
                    // somebody else's
                }
            }
        }
    }
}
