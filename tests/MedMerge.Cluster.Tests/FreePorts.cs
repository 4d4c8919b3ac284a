using System.Net;
using System.Net.Sockets;

namespace MedMerge.Cluster.Tests;

/// <summary>
/// Ports that are free now: below those that the system gives to connections, which could take one before its process listens,
/// and none twice.
/// </summary>
internal static class FreePorts
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

/// <summary>Where the sources lie.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>
    /// A program of ours, from its own output folder: the copy beside these tests lacks what their frameworks bring along.
    /// </summary>
    public static string Program(string project)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory); // …/bin/CONFIGURATION/FRAMEWORK
        var folder = project.Contains("Faulty", StringComparison.Ordinal) ? "tests" : "src";
        return Path.Combine(Root, folder, project, "bin", output.Parent!.Name, output.Name, project + ".dll");
    }

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "MedMerge.Distributed.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
