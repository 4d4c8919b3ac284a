using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MedMerge.AppHost;

/// <summary>The two stores as executables on this machine.</summary>
internal static class Stores
{
    private const string Tcp = "tcp";

    /// <summary>Azurite's published development account.</summary>
    private const string Account = "devstoreaccount1", Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>A Redis-compatible server, from the repository's tool manifest (<c>dotnet tool restore</c>).</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddGarnet(this IDistributedApplicationBuilder builder, string name)
    {
        var garnet = builder.AddExecutable("garnet", "dotnet", "..", "tool", "run", "garnet-server", "--", "--bind", "127.0.0.1", "--lua", "--port").WithEndpoint(scheme: Tcp, name: Tcp);
        var endpoint = garnet.GetEndpoint(Tcp);
        garnet.WithArgs(context => context.Args.Add(endpoint.Property(EndpointProperty.TargetPort)));
        builder.AddCheck(garnet, endpoint, "PING\r\n", "+PONG");
        return builder.AddConnectionString(name, ReferenceExpression.Create($"{endpoint.Property(EndpointProperty.IPV4Host)}:{endpoint.Property(EndpointProperty.Port)}")).WaitFor(garnet);
    }

    /// <summary>A blob service, from npm; what it holds stays in <c>.medmerge/azurite</c>.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddAzurite(this IDistributedApplicationBuilder builder, string name)
    {
        var azurite = builder.AddExecutable("azurite", "npx", "..", "--yes", "--package", "azurite@3.37.0", "azurite-blob", "--skipApiVersionCheck", "--silent", "--disableTelemetry",
            "--blobHost", "127.0.0.1", "--location", ".medmerge/azurite", "--blobPort").WithEndpoint(scheme: Tcp, name: Tcp);
        var endpoint = azurite.GetEndpoint(Tcp);
        azurite.WithArgs(context => context.Args.Add(endpoint.Property(EndpointProperty.TargetPort)));
        builder.AddCheck(azurite, endpoint, "GET / HTTP/1.0\r\n\r\n", "HTTP/1");
        return builder.AddConnectionString(name, ReferenceExpression.Create(
            $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint=http://{endpoint.Property(EndpointProperty.IPV4Host)}:{endpoint.Property(EndpointProperty.Port)}/{Account};"))
            .WaitFor(azurite);
    }

    /// <summary>Healthy once the server answers as it should: the port before it is the app host's own, which takes connections before the server does.</summary>
    private static void AddCheck(this IDistributedApplicationBuilder builder, IResourceBuilder<ExecutableResource> server, EndpointReference endpoint, string question, string answer)
    {
        var key = $"{server.Resource.Name}-answers";
        builder.Services.AddHealthChecks().AddAsyncCheck(key, async cancellation =>
        {
            try
            {
                using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                deadline.CancelAfter(Patience);
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", endpoint.Port, deadline.Token).ConfigureAwait(false);
                var stream = client.GetStream();
                await stream.WriteAsync(Encoding.ASCII.GetBytes(question), deadline.Token).ConfigureAwait(false);
                var said = new byte[answer.Length];
                await stream.ReadExactlyAsync(said, deadline.Token).ConfigureAwait(false);
                return Encoding.ASCII.GetString(said) == answer ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("Something else answers there.");
            }
            catch (Exception error) when (error is SocketException or IOException or InvalidOperationException or OperationCanceledException)
            {
                return HealthCheckResult.Unhealthy(error.Message);
            }
        });
        server.WithHealthCheck(key);
    }
}
