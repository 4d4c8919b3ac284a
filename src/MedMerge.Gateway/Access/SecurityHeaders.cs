namespace MedMerge.Gateway.Access;

/// <summary>
/// Headers of every response: browsers neither guess media types nor show pages in frames of other sites, and pages run no script but
/// the gateway's own files. An endpoint may set a stricter content security policy.
/// </summary>
internal static class SecurityHeaders
{
    /// <summary>Styles may be inline because Orleans' dashboard and components set them so; scripts may not.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; "
        + "frame-ancestors 'none'; form-action 'self'";

    /// <summary>Adds the headers when the response starts, so that error responses have them too.</summary>
    public static Task AddAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            Set(context.Response.Headers);
            return Task.CompletedTask;
        });
        return next(context);
    }

    private static void Set(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        var isSet = headers.ContentSecurityPolicy.ToString().Contains("default-src", StringComparison.Ordinal);
        if (!isSet) headers.ContentSecurityPolicy = ContentSecurityPolicy; // components set a policy that is about frames alone
    }
}
