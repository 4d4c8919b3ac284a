using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace MedMerge.Gateway.Tests;

/// <summary>
/// The part of an OpenID Connect provider that a gateway uses, on loopback: metadata, keys, and tokens signed with
/// them.
/// </summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RsaSecurityKey _key = CreateKey();

    private IdentityProvider()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Error"]);
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", () => new Dictionary<string, string>
        {
            ["issuer"] = Address,
            ["jwks_uri"] = $"{Address}/keys",
        });
        _app.MapGet("/keys", () => new Dictionary<string, object> { ["keys"] = new[] { DescribePublicKey() } });
    }

    public string Address => _app.Urls.Single();

    public static RsaSecurityKey CreateKey() => new(RSA.Create(2048)) { KeyId = Guid.NewGuid().ToString("N") };

    public static async Task<IdentityProvider> StartAsync()
    {
        var provider = new IdentityProvider();
        await provider._app.StartAsync();
        return provider;
    }

    /// <summary>Creates a token; defaults are valid.</summary>
    public string CreateToken(
        string audience,
        string? issuer = null,
        RsaSecurityKey? key = null,
        TimeSpan? validFor = null)
    {
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Address,
            Audience = audience,
            NotBefore = DateTime.UtcNow.AddHours(-1),
            Expires = DateTime.UtcNow + (validFor ?? TimeSpan.FromMinutes(5)),
            Claims = new Dictionary<string, object> { ["sub"] = "somebody" },
            SigningCredentials = new SigningCredentials(key ?? _key, SecurityAlgorithms.RsaSha256),
        };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Dictionary<string, string> DescribePublicKey()
    {
        var parameters = _key.Rsa.ExportParameters(includePrivateParameters: false);
        var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(parameters) { KeyId = _key.KeyId });
        return new Dictionary<string, string>
        {
            ["kty"] = key.Kty,
            ["kid"] = key.Kid,
            ["n"] = key.N,
            ["e"] = key.E,
            ["use"] = "sig",
        };
    }
}
