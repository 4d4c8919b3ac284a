using MedMerge.Gateway.Access;
using MedMerge.Gateway.Pages.Shared;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Hosting.StaticWebAssets;
using Microsoft.FluentUI.AspNetCore.Components;

namespace MedMerge.Gateway.Pages;

/// <summary>The pages for people, beside the API: Blazor components that the server renders and keeps live.</summary>
internal static class WebPages
{
    /// <summary>Adds what the pages need.</summary>
    public static void Add(WebApplicationBuilder builder)
    {
        // Where it was not published the files are in the packages and the sources; without this only a development host looks there.
        StaticWebAssetsLoader.UseStaticWebAssets(builder.Environment, builder.Configuration);
        var services = builder.Services;
        services.AddRazorComponents()
            .AddInteractiveServerComponents()
            .AddHubOptions(hub => hub.MaximumReceiveMessageSize = 2 * Submissions.MaxSpecification); // one is typed on a page
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, PageSessions>();
        services.AddFluentUIComponents();
        services.AddSingleton<SweepFeeds>();
        services.AddScoped<UserActions>();
    }

    /// <summary>Maps the pages, their files, and the connection over which they are kept live.</summary>
    public static void Map(WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapGet($"/{Figures.StylePath}", () => Results.Text(Figures.Style, "text/css"))
            .AllowAnonymous()
            .ExcludeFromDescription();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    }
}
