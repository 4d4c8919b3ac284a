using System.Net;
using System.Net.Http.Headers;

namespace MedMerge.Gateway.Tests;

/// <summary>Which tokens of an identity provider are accepted, and that a token without a role may do nothing.</summary>
public sealed class TokenTests
{
    private const string Audience = "medmerge";

    [Fact]
    public async Task Only_valid_tokens_of_the_provider_for_the_audience_are_accepted()
    {
        var folder = Directory.CreateTempSubdirectory("medmerge-gateway-").FullName;
        await using var provider = await IdentityProvider.StartAsync();
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(
            folder,
            $"--Authentication:Jwt:Authority={provider.Address}",
            $"--Authentication:Jwt:Audience={Audience}");
        using var client = RunningGateway.CreateClient(app);

        Assert.Equal(HttpStatusCode.OK, await ListAsync(provider.CreateToken(Audience, role: "viewer")));
        Assert.Equal(HttpStatusCode.Forbidden, await ListAsync(provider.CreateToken(Audience, role: "manager")));
        Assert.Equal(HttpStatusCode.Forbidden, await ListAsync(provider.CreateToken(Audience)));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(null));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(provider.CreateToken("another application")));
        var foreign = provider.CreateToken(Audience, issuer: "https://example.org");
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(foreign));
        var forged = provider.CreateToken(Audience, key: IdentityProvider.CreateKey());
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(forged));
        var expired = provider.CreateToken(Audience, validFor: TimeSpan.FromMinutes(-30));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(expired));
        Assert.Equal(HttpStatusCode.Unauthorized, await ListAsync(RemoveSignature(provider.CreateToken(Audience))));
        Directory.Delete(folder, recursive: true);

        async Task<HttpStatusCode> ListAsync(string? token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/sweeps");
            if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return (await client.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode;
        }
    }

    /// <summary>Creates a token with the same claims and <c>"alg": "none"</c>.</summary>
    private static string RemoveSignature(string token) => $"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{token.Split('.')[1]}.";
}
