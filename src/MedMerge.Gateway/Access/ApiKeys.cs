using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace MedMerge.Gateway.Access;

/// <summary>The keys that are known, by their SHA-256 only: whoever reads the configuration can't use them.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    /// <summary>Whose key, and its SHA-256.</summary>
    public IReadOnlyList<(string Name, byte[] Hash)> Keys { get; set; } = [];
}

/// <summary>Knows a client by the header <c>X-Api-Key</c>.</summary>
internal sealed class ApiKeys(IOptionsMonitor<ApiKeyOptions> options, ILoggerFactory loggers, UrlEncoder encoder) : AuthenticationHandler<ApiKeyOptions>(options, loggers, encoder)
{
    /// <summary>The scheme's name.</summary>
    public const string SchemeName = "ApiKey";

    private const string Header = "X-Api-Key";

    /// <summary>Reads the section <c>Authentication:ApiKeys</c>: a name, and the key's SHA-256 in hexadecimal.</summary>
    /// <exception cref="InputException">One is no SHA-256.</exception>
    public static IReadOnlyList<(string Name, byte[] Hash)> Read(IConfiguration configuration) =>
        [.. configuration.GetSection("Authentication:ApiKeys").GetChildren().Select(entry => (entry.Key, Hash(entry)))];

    /// <inheritdoc />
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.Headers.TryGetValue(Header, out var sent)) return Task.FromResult(AuthenticateResult.NoResult());
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(sent.ToString()));
        string? name = null;
        foreach (var key in Options.Keys) // all of them, in constant time: how long it takes tells nothing
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash)) name = key.Name;
        }
        if (name is null) return Task.FromResult(AuthenticateResult.Fail("The key is not known."));
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    private static byte[] Hash(IConfigurationSection entry)
    {
        try
        {
            if (Convert.FromHexString(entry.Value ?? "") is { Length: SHA256.HashSizeInBytes } hash) return hash;
        }
        catch (FormatException)
        {
            // told below
        }
        throw new InputException($"Authentication:ApiKeys:{entry.Key} must be the SHA-256 of the key in hexadecimal, 64 digits: `printf %s KEY | sha256sum`.");
    }
}
