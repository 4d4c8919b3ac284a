using Azure;
using Azure.Storage.Blobs;
using MedMerge.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace MedMerge.Gateway.Tests;

/// <summary>
/// Resilience: the process's HTTP clients retry by the service defaults, Azure's clients by their own policy only.
/// </summary>
public sealed class ServiceDefaultsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Retries_of_the_service_defaults_do_not_multiply_those_of_Azures_client()
    {
        var requests = 0;
        await using var server = CreateBuilder("Error").Build();
        server.Map("/{**path}", () =>
        {
            Interlocked.Increment(ref requests);
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        });
        await server.StartAsync(Cancellation);

        var builder = CreateBuilder("None");
        builder.AddServiceDefaults();
        await using var app = builder.Build();
        await app.StartAsync(Cancellation);

        var options = new BlobClientOptions
        {
            Retry =
            {
                MaxRetries = 2,
                Delay = TimeSpan.FromMilliseconds(1),
                MaxDelay = TimeSpan.FromMilliseconds(5),
            },
        };
        var account = $"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint={server.Urls.Single()}/a;";
        var blobs = new BlobContainerClient(account, "container", options);
        await Assert.ThrowsAsync<RequestFailedException>(() => blobs.GetPropertiesAsync(cancellationToken: Cancellation));
        Assert.Equal(1 + 2, requests);

        // An HTTP client of the process retries by the defaults.
        requests = 0;
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        using var answer = await client.GetAsync(new Uri(server.Urls.Single()), Cancellation);
        Assert.True(requests > 1, $"There were {requests} requests.");
    }

    private static WebApplicationBuilder CreateBuilder(string logLevel) =>
        WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0", $"--Logging:LogLevel:Default={logLevel}"]);
}
