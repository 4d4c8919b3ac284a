using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>The network between processes and a service, which can be cut: connections are refused, or hang without an answer.</summary>
internal sealed class NetworkSwitch : IAsyncDisposable
{
    private readonly ConcurrentBag<Socket> _open = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly int _targetPort;
    private readonly int _port = FreePorts.Take();
    private TcpListener? _listener;
    private volatile bool _hangs;

    /// <summary>Lets everything through to <paramref name="target"/>, a service on loopback, until told otherwise.</summary>
    public NetworkSwitch(Uri target, bool isConnected = true)
    {
        _targetPort = target.Port;
        if (isConnected) Connect();
    }

    /// <summary>Where the service is reached through this network.</summary>
    public Uri Address => new($"http://127.0.0.1:{_port}");

    /// <summary>Lets everything through. What hung before is cut, as by a router that restarts.</summary>
    public void Connect()
    {
        Disconnect();
        _hangs = false;
        _listener = new TcpListener(IPAddress.Loopback, _port);
        _listener.Start();
        _ = AcceptAsync(_listener);
    }

    /// <summary>Cuts all connections and refuses new ones.</summary>
    public void Disconnect()
    {
        _listener?.Dispose();
        _listener = null;
        while (_open.TryTake(out var socket)) socket.Dispose();
    }

    /// <summary>Takes connections and bytes, and passes nothing on.</summary>
    public void Hang() => _hangs = true;

    public async ValueTask DisposeAsync()
    {
        Disconnect();
        await _stopping.CancelAsync();
        _stopping.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true) _ = JoinAsync(await listener.AcceptSocketAsync(_stopping.Token));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // disconnected
        }
    }

    private async Task JoinAsync(Socket client)
    {
        var service = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _open.Add(client);
        _open.Add(service);
        try
        {
            await service.ConnectAsync(IPAddress.Loopback, _targetPort, _stopping.Token);
            await Task.WhenAny(PassAsync(client, service), PassAsync(service, client));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // one end has gone
        }
        client.Dispose();
        service.Dispose();
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stopping.Token) is var count and > 0)
            {
                if (!_hangs) await to.SendAsync(buffer.AsMemory(0, count), _stopping.Token);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // one end has gone
        }
    }
}
