using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace MedMerge.Gateway.Tests;

/// <summary>
/// The part of an OpenID Connect provider that a gateway uses, on loopback: metadata, keys, tokens signed with them, and the code flow,
/// in which it takes every user for <c>somebody</c>.
/// </summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    /// <summary>What it calls the gateway.</summary>
    public const string Client = "medmerge-gateway";

    /// <summary>The gateway's password.</summary>
    public const string Secret = "secret";

    private const string Code = "code";

    private readonly WebApplication _app;
    private readonly RsaSecurityKey _key = CreateKey();
    private string _challenge = "";
    private string _nonce = "";

    private IdentityProvider()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Error"]);
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", () => new Dictionary<string, string>
        {
            ["issuer"] = Address,
            ["jwks_uri"] = $"{Address}/keys",
            ["authorization_endpoint"] = $"{Address}/authorize",
            ["token_endpoint"] = $"{Address}/token",
        });
        _app.MapGet("/authorize", Authorize);
        _app.MapPost("/token", ExchangeAsync);
        _app.MapGet("/keys", () => new Dictionary<string, object> { ["keys"] = new[] { DescribePublicKey() } });
    }

    /// <summary>The role of the user that signs in; null for none.</summary>
    public string? Role { get; set; }

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
        TimeSpan? validFor = null,
        string? role = null,
        string? nonce = null)
    {
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Address,
            Audience = audience,
            IssuedAt = DateTime.UtcNow.AddHours(-1),
            NotBefore = DateTime.UtcNow.AddHours(-1),
            Expires = DateTime.UtcNow + (validFor ?? TimeSpan.FromMinutes(5)),
            Claims = WriteClaims(role, nonce),
            SigningCredentials = new SigningCredentials(key ?? _key, SecurityAlgorithms.RsaSha256),
        };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static Dictionary<string, object> WriteClaims(string? role, string? nonce)
    {
        var claims = new Dictionary<string, object> { ["sub"] = "somebody" };
        if (role is not null) claims["roles"] = new[] { "of another application", role };
        if (nonce is not null) claims["nonce"] = nonce;
        return claims;
    }

    private IResult Authorize(HttpRequest request)
    {
        var query = request.Query;
        _challenge = query["code_challenge"]!;
        _nonce = query["nonce"]!;
        var isSound = query["client_id"] == Client && query["code_challenge_method"] == "S256" && query["response_type"] == Code;
        return isSound
            ? Results.Redirect($"{query["redirect_uri"]}?code={Code}&state={Uri.EscapeDataString(query["state"]!)}")
            : Results.BadRequest();
    }

    private async Task<IResult> ExchangeAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"]!)));
        var isSound = form["client_secret"] == Secret && form[Code] == Code && challenge == _challenge;
        if (!isSound) return Results.BadRequest(new { error = "invalid_grant" });
        var token = CreateToken(Client, role: Role, nonce: _nonce);
        return Results.Ok(new { access_token = "opaque", token_type = "Bearer", id_token = token });
    }

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
