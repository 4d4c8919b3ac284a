using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace MedMerge.Gateway.Tests;

/// <summary>An OpenID Connect provider on loopback, as far as a gateway asks it: its metadata, its keys, and tokens signed with them.</summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RsaSecurityKey _key = NewKey();

    private IdentityProvider()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Error"]);
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", () => new Dictionary<string, string> { ["issuer"] = Address, ["jwks_uri"] = $"{Address}/keys" });
        _app.MapGet("/keys", () =>
        {
            var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_key.Rsa.ExportParameters(includePrivateParameters: false)) { KeyId = _key.KeyId });
            return new Dictionary<string, object> { ["keys"] = new[] { new Dictionary<string, string> { ["kty"] = key.Kty, ["kid"] = key.Kid, ["n"] = key.N, ["e"] = key.E, ["use"] = "sig" } } };
        });
    }

    public string Address => _app.Urls.Single();

    public static RsaSecurityKey NewKey() => new(RSA.Create(2048)) { KeyId = Guid.NewGuid().ToString("N") };

    public static async Task<IdentityProvider> StartAsync()
    {
        var provider = new IdentityProvider();
        await provider._app.StartAsync();
        return provider;
    }

    /// <summary>A token; whatever is left out is right.</summary>
    public string Token(string audience, string? issuer = null, RsaSecurityKey? key = null, TimeSpan? validFor = null) => new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
    {
        Issuer = issuer ?? Address,
        Audience = audience,
        NotBefore = DateTime.UtcNow.AddHours(-1),
        Expires = DateTime.UtcNow + (validFor ?? TimeSpan.FromMinutes(5)),
        Claims = new Dictionary<string, object> { ["sub"] = "somebody" },
        SigningCredentials = new SigningCredentials(key ?? _key, SecurityAlgorithms.RsaSha256),
    });

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
