using System.Net;
using System.Net.Http.Headers;

namespace MedMerge.Gateway.Tests;

/// <summary>Tokens of an identity provider: whose are taken, and whose are not.</summary>
public sealed class TokenTests
{
    private const string Audience = "medmerge";

    [Fact]
    public async Task Tokens_are_taken_from_the_provider_for_the_audience_and_in_time_only()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await RunningGateway.LaunchAsync("--urls=http://127.0.0.1:0", "--Orleans:Clustering:ProviderType=Static", "--Orleans:Clustering:Gateways:0=127.0.0.1:9", $"--Store:Folder={folder}",
            $"--Authentication:Jwt:Authority={provider.Address}", $"--Authentication:Jwt:Audience={Audience}");
        using var client = RunningGateway.ClientOf(app);

        Assert.Equal(HttpStatusCode.OK, await ListAsync(provider.Token(Audience)));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(null));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(provider.Token("another application")));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(provider.Token(Audience, issuer: "https://example.org")));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(provider.Token(Audience, key: IdentityProvider.NewKey())));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(provider.Token(Audience, validFor: TimeSpan.FromMinutes(-30))));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(Unsigned(provider.Token(Audience))));
        Directory.Delete(folder, recursive: true);

        async Task<HttpStatusCode> ListAsync(string? token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/sweeps");
            if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return (await client.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode;
        }
    }

    /// <summary>The same claims with <c>"alg": "none"</c>.</summary>
    private static string Unsigned(string token) => $"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{token.Split('.')[1]}.";
}
